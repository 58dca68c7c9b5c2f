import { AssetHashType, DockerImage, Duration, RemovalPolicy, Size } from "aws-cdk-lib";
import { Role, ServicePrincipal, type Policy } from "aws-cdk-lib/aws-iam";
import { Architecture, Code, Function as LambdaFunction, Runtime, Tracing } from "aws-cdk-lib/aws-lambda";
import { LogGroup } from "aws-cdk-lib/aws-logs";
import type { Construct } from "constructs";
import { bundle, root } from "./bundle.ts";
import { acknowledgePatterns, allow } from "./permissions.ts";
import type { Settings } from "./settings.ts";

/** The longest that Lambda lets a function run. */
export const longestTimeout: Duration = Duration.minutes(15);

/** What differs between our functions. */
export interface FunctionProps {
  readonly functionName: string;
  readonly description: string;
  /** Path of the module that exports `handler`. */
  readonly entry: string;
  /** As for `bundle`. */
  readonly packages?: readonly string[];
  readonly architecture?: Architecture;
  readonly memoryMb: number;
  /** Size of `/tmp` in MB. */
  readonly scratchMb?: number;
  readonly timeout: Duration;
  readonly environment: Readonly<Record<string, string>>;
}

/** A function with a role and a log group of its own. */
export interface OwnFunction {
  readonly id: string;
  readonly name: string;
  readonly arn: string;
  readonly timeout: Duration;
  readonly role: Role;
}

/** Creates a function on Node 24 that may do nothing yet but write its log and traces. */
export function createFunction(
  scope: Construct,
  id: string,
  { logRetentionDays }: Settings,
  props: FunctionProps,
): OwnFunction {
  const { functionName, entry, packages = [], memoryMb, scratchMb, environment } = props;
  const role = new Role(scope, `${id}Role`, { assumedBy: new ServicePrincipal("lambda.amazonaws.com") });
  const logGroup = new LogGroup(scope, `${id}Log`, {
    logGroupName: `/aws/lambda/${functionName}`,
    retention: logRetentionDays,
    removalPolicy: RemovalPolicy.DESTROY,
  });
  allow(role, "WriteLog", {
    actions: ["logs:CreateLogStream", "logs:PutLogEvents"],
    resources: [logGroup.logGroupArn],
  });
  const created = new LambdaFunction(scope, id, {
    functionName,
    description: props.description,
    role,
    logGroup,
    runtime: Runtime.NODEJS_24_X,
    architecture: props.architecture ?? Architecture.ARM_64,
    handler: "dist/index.handler",
    code: bundledCode(entry, packages),
    memorySize: memoryMb,
    timeout: props.timeout,
    tracing: Tracing.ACTIVE,
    environment: { NODE_OPTIONS: "--enable-source-maps", ...environment },
    ...(scratchMb === undefined ? {} : { ephemeralStorageSize: Size.mebibytes(scratchMb) }),
  });
  acknowledgePatterns(role.node.findChild("DefaultPolicy") as Policy, {
    actions: [],
    resources: ["*"],
    pattern: "X-Ray has no resources to name.",
  });
  return { id, name: functionName, arn: created.functionArn, timeout: props.timeout, role };
}

function bundledCode(entry: string, packages: readonly string[]): Code {
  return Code.fromAsset(root, {
    assetHashType: AssetHashType.OUTPUT,
    bundling: {
      // Never pulled: the local bundling does not fail over.
      image: DockerImage.fromRegistry("scratch"),
      // Tells this bundle from others, for the CDK bundles equal ones once.
      command: [entry, ...packages],
      local: {
        tryBundle: (folder: string): boolean => {
          bundle(entry, folder, packages);
          return true;
        },
      },
    },
  });
}
