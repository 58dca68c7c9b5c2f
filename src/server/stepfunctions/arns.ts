import { ApiError } from "./api-error.ts";
import { parseArn } from "../../aws/aws.ts";
import type { ExecutionId } from "../../runs/execution-journal.ts";

/**
 * Whether Step Functions takes a text for a name.
 *
 * @see https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
 */
export function isName(text: string): boolean {
  return text.length > 0 && text.length <= 80 && !/[\s<>{}[\]?*"#%\\^|~`$&,;:/\u0000-\u001f\u007f-\u009f]/.test(text);
}

/** @throws ApiError InvalidName */
export function requireName(text: string): void {
  if (!isName(text)) throw new ApiError("InvalidName", `Invalid Name: '${text}'`);
}

/** Where the endpoint pretends to be. */
export interface Place {
  readonly region: string;
  /** Twelve digits. */
  readonly account: string;
}

/** The kinds of ARNs that requests name. */
export type ArnKind = "stateMachine" | "execution" | "mapRun" | "activity";

/** An ARN of a known kind. */
export interface NamedArn {
  /** What follows the kind: `machine:execution`. */
  readonly name: string;
  /** Whether region and account are the endpoint's own. */
  readonly isHere: boolean;
}

/** Makes and reads ARNs of one place. */
export interface Arns extends Place {
  readonly role: string;
  of(kind: ArnKind, name: string): string;
  execution(id: ExecutionId): string;
  mapRun(machine: string, label: string, runId: string): string;
  /** @throws ApiError InvalidArn */
  read(kind: ArnKind, arn: string): NamedArn;
}

/** Creates the ARNs of a place. */
export function createArns({ region, account }: Place): Arns {
  const of = (kind: ArnKind, name: string): string => `arn:aws:states:${region}:${account}:${kind}:${name}`;
  return {
    region,
    account,
    // Answers must name a role; there is none.
    role: `arn:aws:iam::${account}:role/rowcall`,
    of,
    execution: ({ machine, name }) => of("execution", `${machine}:${name}`),
    mapRun: (machine, label, runId) => of("mapRun", `${machine}/${label}:${runId}`),
    read: (kind, arn) => {
      const parts = parseArn(arn);
      if (parts === undefined || parts.service !== "states")
        throw new ApiError("InvalidArn", `Invalid Arn: 'Invalid ARN prefix: ${arn}'`);
      const colon = parts.resource.indexOf(":");
      const found = parts.resource.slice(0, colon);
      if (colon === -1 || found !== kind)
        throw new ApiError("InvalidArn", `Invalid Arn: 'Resource type not valid in this context: ${found}'`);
      const isHere = parts.partition === "aws" && parts.region === region && parts.account === account;
      return { name: parts.resource.slice(colon + 1), isHere };
    },
  };
}

const missing: Readonly<Record<ArnKind, readonly [type: string, words: string]>> = {
  stateMachine: ["StateMachineDoesNotExist", "State Machine Does Not Exist"],
  execution: ["ExecutionDoesNotExist", "Execution Does Not Exist"],
  mapRun: ["ResourceNotFound", "Map Run Does Not Exist"],
  activity: ["ActivityDoesNotExist", "Activity Does Not Exist"],
};

/**
 * Step Functions' error for what is not there.
 *
 * @param here - the ARN that a thing of this name has here, when it was looked for in another region or account
 */
export function doesNotExist(kind: ArnKind, arn: string, here?: string): ApiError {
  const [type, words] = missing[kind];
  const text = `${words}: '${arn}'${here === undefined ? "" : `. Here it is '${here}'`}`;
  return new ApiError(type, text, kind === "mapRun" ? { resourceName: arn } : {});
}
