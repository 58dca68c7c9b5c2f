/** AWS services that Rowcall talks to, by the names they have in `AWS_ENDPOINT_URL_…`. */
export const awsServices = ["S3", "SNS", "DYNAMODB", "LAMBDA", "SFN"] as const;
/** One of {@link awsServices}. */
export type AwsService = (typeof awsServices)[number];

/** How AWS is reached; what is absent is left to the SDK's own rules (profile files, instance roles and so on). */
export interface AwsSettings {
  readonly region?: string;
  readonly profile?: string;
  readonly credentials?: {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken?: string;
  };
  /** Addresses in place of AWS's own. */
  readonly endpoints: Readonly<Partial<Record<AwsService, string>>>;
}

/** What the command line says of AWS; each wins over the environment. */
export interface AwsOptions {
  readonly region?: string;
  readonly profile?: string;
  /** For every service. */
  readonly endpointUrl?: string;
}

/**
 * How AWS is reached, by the rules of the AWS command line: options, then `AWS_PROFILE`, `AWS_REGION` or `AWS_DEFAULT_REGION`,
 * `AWS_ENDPOINT_URL_S3` and the like, `AWS_ENDPOINT_URL`, and keys in `AWS_ACCESS_KEY_ID` unless a profile is named.
 *
 * @see https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
 */
export function awsSettings(env: Readonly<Record<string, string | undefined>>, options: AwsOptions = {}): AwsSettings {
  const profile = options.profile ?? given(env["AWS_PROFILE"]);
  const region = options.region ?? given(env["AWS_REGION"]) ?? given(env["AWS_DEFAULT_REGION"]);
  const everywhere = options.endpointUrl ?? given(env["AWS_ENDPOINT_URL"]);
  const ignored = env["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"] === "true" && options.endpointUrl === undefined;
  const endpoints = awsServices.flatMap((service) => {
    const own = options.endpointUrl ?? given(env[`AWS_ENDPOINT_URL_${service}`]) ?? everywhere;
    return own === undefined || ignored ? [] : [[service, own] as const];
  });
  const accessKeyId = given(env["AWS_ACCESS_KEY_ID"]);
  const secretAccessKey = given(env["AWS_SECRET_ACCESS_KEY"]);
  const sessionToken = given(env["AWS_SESSION_TOKEN"]);
  const hasKeys = profile === undefined && accessKeyId !== undefined && secretAccessKey !== undefined;
  return {
    ...(region === undefined ? {} : { region }),
    ...(profile === undefined ? {} : { profile }),
    ...(hasKeys
      ? { credentials: { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) } }
      : {}),
    endpoints: Object.fromEntries(endpoints),
  };
}

/** Settings of an SDK client. */
export interface AwsClientConfig extends Omit<AwsSettings, "endpoints"> {
  readonly endpoint?: string;
}

/**
 * The settings of an SDK client for one service.
 *
 * @param region - when it is known from elsewhere, such as from an ARN; the settings' own is taken otherwise
 */
export function awsClientConfig(settings: AwsSettings, service: AwsService, region?: string): AwsClientConfig {
  const { endpoints, ...common } = settings;
  const endpoint = endpoints[service];
  return {
    ...common,
    ...(region === undefined ? {} : { region }),
    ...(endpoint === undefined ? {} : { endpoint }),
  };
}

/** An ARN's parts: `arn:partition:service:region:account:resource`. */
export interface Arn {
  readonly partition: string;
  readonly service: string;
  readonly region: string;
  readonly account: string;
  /** What follows the account, colons included. */
  readonly resource: string;
}

/** Reads an ARN; undefined for anything else. */
export function parseArn(text: string): Arn | undefined {
  const [, partition = "", service = "", region = "", account = "", resource = ""] =
    /^arn:([\w-]+):([\w-]+):([\w-]*):(\d*):(.+)$/.exec(text) ?? [];
  return resource === "" ? undefined : { partition, service, region, account, resource };
}

function given(value: string | undefined): string | undefined {
  return value === "" ? undefined : value;
}
