/** Where one kind of telemetry is sent. */
export interface TelemetryTarget {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** What of OpenTelemetry is switched on, from its own environment variables. */
export interface TelemetrySettings {
  readonly traces?: TelemetryTarget;
  readonly metrics?: TelemetryTarget;
  /** Attributes of everything that is sent. */
  readonly resource: Readonly<Record<string, string>>;
  /** Share of the runs that are traced, 0 to 1. */
  readonly runShare: number;
  /** Share of the rows of a traced run that have spans, 0 to 1; rows that fail have them always. */
  readonly rowShare: number;
  /** How long one request to the collector may take. */
  readonly timeoutMs: number;
  /** Spans that wait for the collector at most. */
  readonly queueSize: number;
  readonly metricIntervalMs: number;
  /** What of the environment cannot be used; telemetry does without it. */
  readonly problems: readonly { readonly message: string; readonly hint: string }[];
}

type Environment = Readonly<Record<string, string | undefined>>;

// Short, since the end of a run waits for it; OpenTelemetry's own is ten seconds.
const defaultTimeoutMs = 3000;

/**
 * Reads OpenTelemetry's environment variables.
 *
 * @returns undefined when no endpoint is set, or `OTEL_SDK_DISABLED` is true
 * @see https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
 * @see https://opentelemetry.io/docs/specs/otel/protocol/exporter/
 */
export function telemetrySettings(env: Environment): TelemetrySettings | undefined {
  if (env["OTEL_SDK_DISABLED"]?.trim().toLowerCase() === "true") return undefined;
  // By message, since both kinds may stumble over the same variable.
  const problems = new Map<string, string>();
  const problem: Problem = (name, what) => void problems.set(`${name} ${what}`, "Correct it, or unset it.");
  const traces = targetOf(env, "TRACES", problem);
  const metrics = targetOf(env, "METRICS", problem);
  if (traces === undefined && metrics === undefined && problems.size === 0) return undefined;
  const number = (name: string, fallback: number, most = Number.MAX_SAFE_INTEGER): number => {
    const text = env[name]?.trim() ?? "";
    const value = Number(text);
    if (text !== "" && value >= 0 && value <= most) return value;
    if (text !== "") problem(name, `is "${text}", which is no number that it takes`);
    return fallback;
  };
  const settings = {
    ...(traces === undefined ? {} : { traces }),
    ...(metrics === undefined ? {} : { metrics }),
    resource: {
      "service.name": "rowcall",
      ...pairsOf(env, "OTEL_RESOURCE_ATTRIBUTES", problem),
      ...(isSet(env["OTEL_SERVICE_NAME"]) ? { "service.name": env["OTEL_SERVICE_NAME"] } : {}),
    },
    runShare: runShareOf(env, () => number("OTEL_TRACES_SAMPLER_ARG", 1, 1), problem),
    rowShare: number("ROWCALL_TRACE_ROWS", 1, 1),
    timeoutMs: Math.max(number("OTEL_EXPORTER_OTLP_TIMEOUT", defaultTimeoutMs), 1),
    queueSize: Math.max(number("OTEL_BSP_MAX_QUEUE_SIZE", 2048), 1),
    metricIntervalMs: Math.max(number("OTEL_METRIC_EXPORT_INTERVAL", 60_000), 1),
  };
  return { ...settings, problems: [...problems].map(([message, hint]) => ({ message, hint })) };
}

type Problem = (name: string, what: string) => void;

function targetOf(env: Environment, signal: "TRACES" | "METRICS", problem: Problem): TelemetryTarget | undefined {
  const own = `OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`;
  const shared = "OTEL_EXPORTER_OTLP_ENDPOINT";
  const name = isSet(env[own]) ? own : shared;
  const address = env[name]?.trim();
  if (!isSet(address) || env[`OTEL_${signal}_EXPORTER`]?.trim() === "none") return undefined;
  if (!/^https?:$/.test(URL.parse(address)?.protocol ?? "")) {
    problem(name, `is "${address}", which is no address that begins with http:// or https://`);
    return undefined;
  }
  const protocolName = [`OTEL_EXPORTER_OTLP_${signal}_PROTOCOL`, "OTEL_EXPORTER_OTLP_PROTOCOL"].find((one) =>
    isSet(env[one]),
  );
  if (protocolName !== undefined && env[protocolName] === "grpc") {
    problem(protocolName, "is grpc, and Rowcall speaks OTLP over HTTP only (usually port 4318)");
    return undefined;
  }
  return {
    // As the specification has it: the signal's own address as it is, the shared one with the signal's path.
    url: name === own ? address : `${address.replace(/\/$/, "")}/v1/${signal.toLowerCase()}`,
    headers: {
      ...pairsOf(env, "OTEL_EXPORTER_OTLP_HEADERS", problem),
      ...pairsOf(env, `OTEL_EXPORTER_OTLP_${signal}_HEADERS`, problem),
    },
  };
}

// Every run is the root of its trace, so with a parent or without is the same.
function runShareOf(env: Environment, ratio: () => number, problem: Problem): number {
  const name = env["OTEL_TRACES_SAMPLER"]?.trim() ?? "";
  switch (name.replace(/^parentbased_/, "")) {
    case "":
    case "always_on":
      return 1;
    case "always_off":
      return 0;
    case "traceidratio":
      return ratio();
    default:
      problem("OTEL_TRACES_SAMPLER", `is "${name}", which is no sampler; every run is traced`);
      return 1;
  }
}

/** `key=value,key=value`, each percent-encoded. Values may be secrets: no problem tells them. */
function pairsOf(env: Environment, name: string, problem: Problem): Record<string, string> {
  try {
    const pairs = (env[name] ?? "").split(",").filter((pair) => pair.trim() !== "");
    return Object.fromEntries(
      pairs.map((pair) => {
        const [, key = "", value = ""] = /^([^=]+)=(.*)$/s.exec(pair.trim()) ?? [];
        if (key === "") throw new URIError("There is no key");
        return [decodeURIComponent(key.trim()), decodeURIComponent(value.trim())];
      }),
    );
  } catch {
    problem(name, "is no list of key=value, separated by commas");
    return {};
  }
}

function isSet(value: string | undefined): value is string {
  return value !== undefined && value.trim() !== "";
}
