import type { Meter, Tracer } from "@opentelemetry/api";
import { OTLPMetricExporter } from "@opentelemetry/exporter-metrics-otlp-http";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { defaultResource, resourceFromAttributes } from "@opentelemetry/resources";
import { MeterProvider, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from "@opentelemetry/sdk-trace";
import type { TelemetrySettings, TelemetryTarget } from "./telemetry-settings.ts";

/** Makes spans, as many as the collector keeps up with. */
export interface Tracing {
  readonly tracer: Tracer;
  /** Takes room for so many spans in the queue to the collector; false when there is none, and they are not to be made. */
  reserve(spans: number): boolean;
  /** Share of the rows that have spans although they succeed at once, 0 to 1. */
  readonly rowShare: number;
}

/** What telemetry is made with. */
export interface Telemetry {
  readonly tracing?: Tracing;
  readonly meter?: Meter;
  /** Sends what waits and lets go; a collector that does not answer holds it up for its time limit. Never rejects. */
  close(): Promise<void>;
}

/**
 * Opens the ways to the collector. Nothing global is touched, so a program that traces itself is left alone.
 *
 * @param onFailure - called when a request to the collector failed, with why
 */
export function openTelemetry(settings: TelemetrySettings, onFailure: (reason: string) => void): Telemetry {
  const resource = defaultResource().merge(resourceFromAttributes({ ...settings.resource }));
  const traces = settings.traces && openTraces(settings, settings.traces, resource, onFailure);
  const metrics = settings.metrics && openMetrics(settings, settings.metrics, resource, onFailure);
  return {
    tracing: traces?.tracing,
    meter: metrics?.getMeter("rowcall"),
    close: async () => {
      await Promise.allSettled([traces?.provider.shutdown(), metrics?.shutdown()]);
    },
  };
}

type Resource = ReturnType<typeof defaultResource>;

function openTraces(
  settings: TelemetrySettings,
  target: TelemetryTarget,
  resource: Resource,
  onFailure: (reason: string) => void,
): { readonly provider: TracerProvider; readonly tracing: Tracing } {
  const { queueSize, rowShare, timeoutMs } = settings;
  let waiting = 0;
  const exporter = new OTLPTraceExporter(exporterConfig(target, timeoutMs));
  watchExports(exporter, onFailure, (spans) => (waiting -= spans.length));
  const processor = new BatchSpanProcessor({ exporter, maxQueueSize: queueSize });
  const provider = new TracerProvider({
    resource,
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(settings.runShare) }),
    spanProcessors: [processor],
  });
  return {
    provider,
    tracing: {
      tracer: provider.getTracer("rowcall"),
      reserve: (spans) => {
        if (waiting + spans > queueSize) return false;
        waiting += spans;
        return true;
      },
      rowShare,
    },
  };
}

function openMetrics(
  { metricIntervalMs, timeoutMs }: TelemetrySettings,
  target: TelemetryTarget,
  resource: Resource,
  onFailure: (reason: string) => void,
): MeterProvider {
  const exporter = new OTLPMetricExporter(exporterConfig(target, timeoutMs));
  watchExports(exporter, onFailure);
  const reader = new PeriodicExportingMetricReader({
    exporter,
    exportIntervalMillis: metricIntervalMs,
    exportTimeoutMillis: Math.min(timeoutMs, metricIntervalMs),
  });
  return new MeterProvider({ resource, readers: [reader] });
}

function exporterConfig({ url, headers }: TelemetryTarget, timeoutMs: number): object {
  return { url, headers: { ...headers }, timeoutMillis: timeoutMs };
}

interface Exporter<T> {
  export(items: T, done: (result: { readonly code: number; readonly error?: Error }) => void): void;
}

// The SDK tells failures to a handler that is global, and that says nothing unless somebody has set it.
function watchExports<T>(
  exporter: Exporter<T>,
  onFailure: (reason: string) => void,
  onTaken?: (items: T) => void,
): void {
  const send = exporter.export.bind(exporter);
  exporter.export = (items, done) => {
    onTaken?.(items);
    send(items, (result) => {
      if (result.code !== 0) onFailure(result.error?.message ?? "it did not take what was sent");
      done(result);
    });
  };
}
