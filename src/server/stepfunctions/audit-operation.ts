import type { Audit } from "../../app/audit.ts";
import { isJsonObject } from "../../core/json.ts";
import { ApiError } from "./api-error.ts";

/** A request that was let in. */
export interface AuditedCall {
  /** Name of the operation. */
  readonly name: string;
  readonly input: unknown;
  /** The request's `Authorization`. */
  readonly authorization: string | undefined;
}

const changing = /^(?:Start|Stop|Redrive|Update|Create|Delete|Tag|Untag)/;
const arns = ["executionArn", "mapRunArn", "stateMachineArn", "activityArn", "resourceArn", "arn"];

/** Does what a request asks, and notes it when it starts or changes something. */
export async function auditOperation<T>(
  audit: Audit | undefined,
  { name, input, authorization }: AuditedCall,
  work: () => Promise<T>,
): Promise<T> {
  if (audit === undefined || !changing.test(name)) return work();
  const note = (outcome: string, answer: unknown): Promise<void> => {
    const target = arnIn(answer) ?? arnIn(input);
    return audit({
      via: "stepfunctions",
      by: /Credential=([\w+=,.@-]{1,128})\//.exec(authorization ?? "")?.[1] ?? "unsigned",
      action: name,
      ...(target === undefined ? {} : { target }),
      outcome,
    });
  };
  try {
    const answer = await work();
    await note("done", answer);
    return answer;
  } catch (thrown) {
    await note(thrown instanceof ApiError ? thrown.type : "InternalFailure", undefined);
    throw thrown;
  }
}

function arnIn(value: unknown): string | undefined {
  if (!isJsonObject(value)) return undefined;
  const found = arns.map((name) => value[name]).find((arn) => typeof arn === "string");
  return typeof found === "string" ? found : undefined;
}
