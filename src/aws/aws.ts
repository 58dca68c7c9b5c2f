import { messageOf, RowcallError, type ErrorCode } from "../core/errors.ts";
import { getOwn, isJsonObject } from "../core/json.ts";

/** AWS services that Rowcall talks to, by the names they have in `AWS_ENDPOINT_URL_…`. */
const awsServices = ["S3", "SNS", "DYNAMODB", "LAMBDA", "SFN"] as const;
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

/** What went wrong with a call of AWS. */
export interface AwsProblem {
  /**
   * `denied`: credentials, permissions or region, which the user corrects. `missing`: no such bucket, key, table, function or
   * the like. `conflict`: a condition did not hold. `invalid`: the request itself is wrong. `transient`: another try may go better.
   */
  readonly kind: "denied" | "missing" | "conflict" | "invalid" | "transient";
  /** AWS's name of the error: `NoSuchBucket`; empty when there is none. */
  readonly name: string;
  /** Follows what was tried: `Cannot read s3://bucket/key: …`. */
  readonly what: string;
  readonly hint: string;
}

type Explanation = Omit<AwsProblem, "name">;

const signIn: Explanation = {
  kind: "denied",
  what: "there are no AWS credentials",
  hint: "Sign in with `aws sso login` or `aws configure`, name a --profile, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
};
const expired: Explanation = {
  kind: "denied",
  what: "the AWS credentials have expired",
  hint: "Sign in again, for instance with `aws sso login --profile NAME`, then go on.",
};
const unknownKey: Explanation = {
  kind: "denied",
  what: "AWS does not know these credentials",
  hint: "Check --profile or AWS_PROFILE, and the keys it stands for.",
};
const forbidden: Explanation = {
  kind: "denied",
  what: "access is denied",
  hint: "Check the profile and that its policy allows this action on this resource.",
};
const noRegion: Explanation = {
  kind: "denied",
  what: "no AWS region is set",
  hint: "Set --region or AWS_REGION, such as eu-west-1.",
};
const otherRegion: Explanation = {
  kind: "denied",
  what: "it lives in another AWS region",
  hint: "Set --region or AWS_REGION to the region of the resource.",
};
const busy: Explanation = {
  kind: "transient",
  what: "AWS is limiting the rate of calls",
  hint: "Lower max_concurrency, or ask AWS for a higher quota.",
};
const unreachable: Explanation = {
  kind: "transient",
  what: "the endpoint cannot be reached",
  hint: "Check the network, --endpoint-url and AWS_ENDPOINT_URL.",
};

const byName: Readonly<Record<string, Explanation>> = {
  CredentialsProviderError: signIn,
  ExpiredToken: expired,
  ExpiredTokenException: expired,
  TokenRefreshRequired: expired,
  RequestExpired: expired,
  InvalidAccessKeyId: unknownKey,
  InvalidClientTokenId: unknownKey,
  UnrecognizedClientException: unknownKey,
  SignatureDoesNotMatch: unknownKey,
  InvalidSignatureException: unknownKey,
  AccessDenied: forbidden,
  AccessDeniedException: forbidden,
  AuthorizationError: forbidden,
  AuthorizationErrorException: forbidden,
  Forbidden: forbidden,
  "403": forbidden,
  PermanentRedirect: otherRegion,
  AuthorizationHeaderMalformed: otherRegion,
  IllegalLocationConstraintException: otherRegion,
  "301": otherRegion,
  Throttling: busy,
  ThrottlingException: busy,
  ThrottledException: busy,
  Throttled: busy,
  SlowDown: busy,
  TooManyRequestsException: busy,
  ProvisionedThroughputExceededException: busy,
  RequestLimitExceeded: busy,
  ECONNREFUSED: unreachable,
  ECONNRESET: unreachable,
  ENOTFOUND: unreachable,
  EAI_AGAIN: unreachable,
  ETIMEDOUT: unreachable,
  TimeoutError: unreachable,
};

/** What went wrong with a call of an AWS SDK, whatever it threw. */
export function explainAws(thrown: unknown): AwsProblem {
  const { name, status, message } = describe(thrown);
  const known = getOwn(byName, name);
  // What is missing, and to whom, says AWS itself.
  if (known === forbidden && message.includes("not authorized")) return { ...known, name, what: message };
  if (known !== undefined) return { ...known, name };
  if (message.includes("Region is missing")) return { ...noRegion, name };
  if (message.startsWith("Region not accepted")) return { ...noRegion, what: message, name };
  if (/profile .*could not be found|Could not resolve credentials|Could not load credentials/i.test(message))
    return { ...signIn, what: message, name };
  const what = message === "" ? name : message;
  if (status === 404 || /^(?:NoSuch|NotFound|ResourceNotFound)|DoesNotExist$/.test(name))
    return { kind: "missing", name, what, hint: "Check its name, the account and the region." };
  if (status === 403) return { ...forbidden, name };
  if (status === 301) return { ...otherRegion, name };
  if (status === 409 || status === 412 || name === "ConditionalCheckFailedException")
    return { kind: "conflict", name, what, hint: "Another process changed it at the same time." };
  if (status !== undefined && status >= 400 && status < 500 && status !== 408 && status !== 429)
    return { kind: "invalid", name, what, hint: "Correct what is named, then try again." };
  return { kind: "transient", name, what, hint: "Try again; if it lasts, look at the AWS Health Dashboard." };
}

/**
 * A failed call of AWS as one of our errors: AWS_DENIED when the user corrects it, else AWS_FAILED, which may pass.
 *
 * @param tried - what was tried: `read the agent "lookup" from table agents`
 */
export function awsError(tried: string, thrown: unknown, code?: ErrorCode): RowcallError {
  if (thrown instanceof RowcallError) return thrown;
  const { kind, name, what, hint } = explainAws(thrown);
  const own = code ?? (kind === "transient" ? "AWS_FAILED" : "AWS_DENIED");
  return new RowcallError(own, `Cannot ${tried}: ${what}`, {
    hint,
    cause: thrown,
    details: name === "" ? {} : { awsError: name },
  });
}

interface Described {
  readonly name: string;
  readonly status?: number;
  readonly message: string;
}

function describe(thrown: unknown): Described {
  const message = messageOf(thrown);
  if (typeof thrown !== "object" || thrown === null) return { name: "", message };
  const { name, code, Code, $metadata } = thrown as Readonly<Record<string, unknown>>;
  const isGeneric = typeof name !== "string" || name === "Error" || name === "UnknownError" || name === "Unknown";
  const known = [isGeneric ? undefined : name, Code, code].find((text): text is string => typeof text === "string");
  const { httpStatusCode: status } = ($metadata ?? {}) as { readonly httpStatusCode?: number };
  return {
    name: known ?? (status === undefined ? "" : String(status)),
    status,
    message: message === "UnknownError" ? "" : message,
  };
}

/**
 * What an error and its cause say, as AWS tells them of functions and executions: `ValueError: no such postcode`; empty when they say
 * nothing. A cause may be JSON: of Lambda an object with `errorMessage`, of an execution that started another one the other's
 * description, whose cause may be either again.
 */
export function failureWords(error: string, cause: string): string {
  return joined(error, readableCause(cause));
}

function readableCause(cause: string): string {
  const parsed = parse(cause);
  if (!isJsonObject(parsed)) return cause.trim();
  const { errorMessage, Error: inner, Cause: innerCause } = parsed;
  if (typeof errorMessage === "string") return joined(textOf(parsed["errorType"]), errorMessage);
  if (typeof inner === "string" || typeof innerCause === "string")
    return joined(textOf(inner), readableCause(textOf(innerCause)));
  return cause.trim();
}

// Without saying the error twice.
function joined(error: string, what: string): string {
  if (error === "" || what === "") return error + what;
  return what === error || what.startsWith(`${error}: `) ? what : `${error}: ${what}`;
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
