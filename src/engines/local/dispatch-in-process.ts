import type { AgentDefinition } from "../../core/agent.ts";
import type { Attempt } from "../../core/attempt.ts";
import type { Batch } from "../../core/batch.ts";
import type { Services } from "../../core/services.ts";
import { createExtractor } from "../../attempt/extract.ts";
import { runAttempt, type AttemptSetup } from "../../attempt/run-attempt.ts";
import { artifactSaver } from "../../attempt/attempt-answer.ts";
import { agentEnvironment } from "../../attempt/resolve-agent.ts";
import { firstWarnings } from "../../attempt/first-warnings.ts";
import type { Dispatcher, DispatchSetup } from "./dispatcher.ts";

/**
 * Opens the agent in this process.
 *
 * @throws RowcallError as the agent's kind does
 */
export async function dispatchInProcess(services: Services, agent: AgentDefinition, batch: Batch): Promise<Dispatcher> {
  // What an agent has to say while it is opened ends the opening.
  let warn: (message: string, hint: string) => void = () => {};
  const environment = agentEnvironment(services, batch);
  const invoker = await services.openAgent(agent, { ...environment, warn: (message, hint) => warn(message, hint) });
  return {
    outlivesProcess: invoker.outlivesProcess === true,
    targetHost: (input) => invoker.targetHost?.(input),
    begin: ({ run, observer }: DispatchSetup) => {
      warn = firstWarnings((message, hint) => observer.onEvent?.({ type: "warning", message, hint }));
      const setup: AttemptSetup = {
        invoker,
        extract: createExtractor(run.agent),
        runId: run.id,
        timeoutMs: run.batch.execution.timeoutSeconds * 1000,
        clock: services.clock,
        monotonic: services.monotonic,
        saveArtifact: artifactSaver(services.store, run.recordingsUri),
        warn,
      };
      return {
        attempt: (task, onBegin) => {
          const noted = onBegin(services.clock());
          const make = (): Promise<Attempt> => runAttempt(setup, task.input, task.row, task.number);
          return noted === undefined ? make() : noted.then(make);
        },
        widen: (concurrency) => invoker.widen?.(concurrency),
        hold: () => {},
        committed: () => {},
        close: () => {},
      };
    },
    close: () => invoker.close(),
  };
}
