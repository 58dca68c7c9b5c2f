import { arnOf, objectsArn } from "./names.ts";
import type { Permission } from "./permissions.ts";
import type { Storage } from "./storage-stack.ts";

/** Where recordings go, as a URI. */
export function recordingsUri({ names }: Storage): string {
  return `s3://${names.recordingsBucket}/`;
}

/** Reading agents and templates; aliases and near names are found by a scan. */
export function readRegistry({ names }: Storage): Permission {
  return {
    actions: ["dynamodb:DescribeTable", "dynamodb:Query", "dynamodb:Scan"],
    resources: [names.agentTable, names.templateTable].map((table) => arnOf("dynamodb", `table/${table}`)),
  };
}

/** Reading what the key of our own has encrypted. */
export function decrypt({ key }: Storage): Permission {
  return { actions: ["kms:Decrypt"], resources: key === undefined ? [] : [key.keyArn] };
}

/** Writing what the key of our own encrypts; an upload in parts also decrypts. */
export function encrypt({ key }: Storage): Permission {
  return { actions: ["kms:Decrypt", "kms:GenerateDataKey"], resources: key === undefined ? [] : [key.keyArn] };
}

/** Leaving recordings. */
export function putRecordings({ names }: Storage): Permission {
  return {
    actions: ["s3:PutObject", "s3:AbortMultipartUpload"],
    resources: [objectsArn(names.recordingsBucket, "*")],
    pattern: "A recording's key is known only once it is made.",
  };
}
