import process from "node:process";
import { openAudit } from "../../app/audit.ts";
import { createMachines } from "../../app/state-machines/list-machines.ts";
import { openExecutions } from "../../app/state-machines/open-executions.ts";
import type { Wiring } from "../../app/wire.ts";
import type { Engine } from "../../core/engine.ts";
import { activitiesPath, openActivityQueue } from "../../runs/activity-queue.ts";
import { executionsPath, openExecutionJournal } from "../../runs/execution-journal.ts";
import { listen, type ListenOptions } from "../listen.ts";
import { isLoopbackHost } from "../security/access.ts";
import { createArns, isName } from "./arns.ts";
import { openEndpointKeys, rememberSignatures, verifySignature, type EndpointKeys } from "./signature.ts";
import { createStepFunctionsApi } from "./stepfunctions-api.ts";
import { noteServing } from "../note-serving.ts";

/** Where and as what the endpoint runs. */
export interface EndpointOptions {
  readonly wiring: Pick<Wiring, "services" | "host" | "dataDirectory" | "recordingsPrefix">;
  /** Runs the batches; stays open when the endpoint closes. */
  readonly engine: Engine;
  /** @default 0, any free port */
  readonly port?: number;
  /** Name or address to listen at. @default 127.0.0.1 */
  readonly host?: string;
  /** Requests must be signed with these. @default made once, and kept in the data directory */
  readonly keys?: EndpointKeys;
  /** Ends the name of the machine that runs batches. @default prod */
  readonly stage?: string;
  /** Account of every ARN. @default 123456789012 */
  readonly account?: string;
  /** Region of every ARN. @default the settings' own, else eu-west-1 */
  readonly region?: string;
  /** The endpoint speaks https with them. */
  readonly tls?: ListenOptions["tls"];
}

/** A running endpoint. */
export interface RunningEndpoint {
  /** What requests must be signed with. */
  readonly keys: EndpointKeys;
  /** Whether others can read requests on their way. */
  readonly isInClear: boolean;
  /** `http://127.0.0.1:40123`. */
  readonly url: string;
  readonly region: string;
  /** ARN of the machine that runs batches. */
  readonly batchMachineArn: string;
  /** ARNs of all machines and activities, as they are now. */
  arns(): Promise<{ readonly stateMachines: readonly string[]; readonly activities: readonly string[] }>;
  /** Lets rows in flight finish and ends; executions that are not done go on with the next start. */
  close(): Promise<void>;
}

/**
 * Starts the Step Functions endpoint over a data directory.
 *
 * @throws RowcallError ENDPOINT_BUSY when the data directory is served already, or the port is taken; USAGE_INVALID when the certificate
 * cannot be used; STORE_DENIED; JOURNAL_UNREADABLE
 */
export async function startStepFunctionsEndpoint(options: EndpointOptions): Promise<RunningEndpoint> {
  const { wiring, engine, host = "127.0.0.1", port = 0, stage = "prod", account = "123456789012", tls } = options;
  const { services, host: machine, dataDirectory } = wiring;
  const region = options.region ?? machine.aws.region ?? "eu-west-1";
  const loopbackOnly = isLoopbackHost(host);
  const keys = options.keys ?? (await openEndpointKeys(dataDirectory));
  const isInClear = !loopbackOnly && tls === undefined;
  const check = { keys, region, taken: isInClear ? rememberSignatures() : undefined };
  const journal = openExecutionJournal(executionsPath(dataDirectory), services.clock);
  const activities = openActivityQueue(activitiesPath(dataDirectory), services);
  const machines = createMachines({ ...wiring, engine, stage });
  const executions = openExecutions({ machines, journal, clock: services.clock });
  const closing = new AbortController();
  const closeParts = async (): Promise<void> => {
    await executions.close();
    activities.close();
  };
  const place = { region, account };
  const app = createStepFunctionsApi({
    ...place,
    machines,
    executions,
    engine,
    activities,
    clock: services.clock,
    closing: closing.signal,
    authorize: (request) => verifySignature(request, check, services.clock()),
    audit: openAudit({ dataDirectory, clock: services.clock, stderr: process.stderr }),
    loopbackOnly,
  });
  try {
    const { url, close } = await listen(app.fetch, { host, port, tls });
    const arns = createArns(place);
    const what = "Step Functions endpoint";
    const takeBack = await noteServing(dataDirectory, { what, url, isExposed: !loopbackOnly, isInClear });
    return {
      url,
      keys,
      isInClear,
      region,
      batchMachineArn: arns.of("stateMachine", `batch-processor-${stage}`),
      arns: async () => ({
        stateMachines: (await machines.list())
          .filter(({ name }) => isName(name))
          .map(({ name }) => arns.of("stateMachine", name)),
        activities: activities.listActivities().map(({ name }) => arns.of("activity", name)),
      }),
      close: async () => {
        // Nothing new starts from here on, whatever takes its time below.
        closing.abort();
        await close(() => Promise.all([closeParts(), takeBack()]));
      },
    };
  } catch (thrown) {
    await closeParts();
    throw thrown;
  }
}
