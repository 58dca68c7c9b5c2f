import type { GetActivityTaskCommandOutput, SFNClient } from "@aws-sdk/client-sfn";
import type { TokenVerdict } from "../../core/activity.ts";
import { awsError, explainAws, awsClientConfig, parseArn, type AwsSettings } from "../../aws/aws.ts";
import { RowcallError } from "../../core/errors.ts";
import type { Taking, TaskSource } from "./task-source.ts";

/** An activity of Step Functions, or of an endpoint that speaks as it does. */
export interface ActivityAddress {
  readonly arn: string;
  readonly region: string;
  readonly name: string;
}

/**
 * Reads `arn:aws:states:REGION:ACCOUNT:activity:NAME`.
 *
 * @throws RowcallError USAGE_INVALID
 */
export function parseActivityArn(arn: string): ActivityAddress {
  const { service, region = "", resource = "" } = parseArn(arn) ?? {};
  const name = /^activity:(.+)$/.exec(resource)?.[1];
  if (service === "states" && region !== "" && name !== undefined) return { arn, region, name };
  throw new RowcallError("USAGE_INVALID", `"${arn}" is not the ARN of an activity`, {
    hint: "It looks like arn:aws:states:eu-west-1:123456789012:activity:NAME.",
  });
}

// Step Functions answers within a minute, with a task or without one.
const readTimeoutMs = 70_000;
const connectTimeoutMs = 10_000;

/**
 * The tasks of an activity over the API of Step Functions.
 *
 * @param worker - name that the other side knows this worker by
 */
export async function openActivityTasks(
  aws: AwsSettings,
  { arn, region, name }: ActivityAddress,
  worker: string,
): Promise<TaskSource> {
  const sdk = await import("@aws-sdk/client-sfn");
  const client = new sdk.SFNClient({
    ...awsClientConfig(aws, "SFN", region),
    requestHandler: {
      connectionTimeout: connectTimeoutMs,
      requestTimeout: readTimeoutMs,
      throwOnRequestTimeout: true,
    },
  });
  const tell = async (what: string, send: () => Promise<unknown>): Promise<TokenVerdict> => {
    try {
      await send();
      return "accepted";
    } catch (thrown) {
      const { name: error } = explainAws(thrown);
      if (error === "TaskTimedOut") return "over";
      if (error === "TaskDoesNotExist" || error === "InvalidToken") return "unknown";
      throw awsError(`${what} of activity ${name}`, thrown);
    }
  };
  return {
    take: async (signal): Promise<Taking> => {
      try {
        const command = new sdk.GetActivityTaskCommand({ activityArn: arn, workerName: worker });
        return takingOf(await client.send(command, { abortSignal: signal }));
      } catch (thrown) {
        if (signal.aborted) return { status: "none" };
        if (explainAws(thrown).name === "ActivityDoesNotExist") {
          return { status: "no_activity", others: await activitiesOf(client) };
        }
        throw withHint(awsError(`ask for tasks of activity ${arn}`, thrown), aws);
      }
    },
    heartbeat: (taskToken) =>
      tell("give a sign of life for a task", () => client.send(new sdk.SendTaskHeartbeatCommand({ taskToken }))),
    succeed: (taskToken, output) =>
      tell("send the result of a task", () => client.send(new sdk.SendTaskSuccessCommand({ taskToken, output }))),
    fail: (taskToken, error, cause) =>
      tell("send the failure of a task", () =>
        client.send(new sdk.SendTaskFailureCommand({ taskToken, error, cause })),
      ),
    close: async () => client.destroy(),
  };
}

function takingOf({ taskToken, input }: GetActivityTaskCommandOutput): Taking {
  if (taskToken == null || taskToken === "") return { status: "none" };
  return { status: "task", task: { token: taskToken, input: input ?? "{}" } };
}

// For a message only: who may not list them simply does not see them.
async function activitiesOf(client: SFNClient): Promise<readonly string[]> {
  const { ListActivitiesCommand } = await import("@aws-sdk/client-sfn");
  try {
    const { activities = [] } = await client.send(new ListActivitiesCommand({ maxResults: 20 }));
    return activities.map(({ activityArn }) => activityArn ?? "");
  } catch {
    return [];
  }
}

function withHint(error: RowcallError, { endpoints }: AwsSettings): RowcallError {
  if (endpoints.SFN === undefined || error.details["awsError"] !== "CredentialsProviderError") return error;
  return error.withHint(
    "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY to the keys of the endpoint; a `rowcall serve` without keys takes any text.",
  );
}
