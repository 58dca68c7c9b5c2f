import { sevenSteps as stepsOf, type Step } from "../../engines/aws/seven-steps.ts";
import { sandboxProfile, statesArn, type SandboxNames } from "./sandbox-environment.ts";

/**
 * The seven steps with the names of the sandbox.
 *
 * @param topicArn - topic that the batch notifies
 */
export function sevenSteps(names: SandboxNames, topicArn: string): readonly Step[] {
  return stepsOf({
    bucket: names.bucket,
    agent: names.agent,
    agentMachineArn: statesArn(names, "stateMachine", names.agent),
    batchMachineArn: statesArn(names, "stateMachine", names.batchMachine),
    topicArn,
    dispatch: "activity",
    s3Options: `--profile ${sandboxProfile} --endpoint-url "$AWS_ENDPOINT_URL_S3"`,
    stepFunctionsOptions: `--profile ${sandboxProfile} --endpoint-url "$AWS_ENDPOINT_URL_SFN"`,
  });
}
