import { App, Tags, Validations, type AppProps, type StackProps } from "aws-cdk-lib";
import { AwsSolutionsChecks } from "cdk-nag";
import { createAlarms } from "./alarms.ts";
import { createBatchProcessor, type BatchProcessor } from "./batch-processor-stack.ts";
import { createBroadbandAgent, type BroadbandAgent } from "./broadband-agent-stack.ts";
import { createDashboard } from "./dashboard.ts";
import type { Entries } from "./entries.ts";
import { printOutputs } from "./outputs.ts";
import { readSettings } from "./settings.ts";
import { createStorage, type Storage } from "./storage-stack.ts";

/** The whole deployment of one stage. */
export interface RowcallApp {
  readonly app: App;
  readonly storage: Storage;
  readonly agent: BroadbandAgent;
  readonly batches: BatchProcessor;
}

/** Puts the three stacks together; cdk-nag checks them at synthesis. */
export function createRowcallApp(entries: Entries, props: AppProps = {}): RowcallApp {
  const app = new App(props);
  const settings = readSettings((name) => app.node.tryGetContext(name) as unknown);
  const { stage, retain } = settings;
  const stackProps = (what: string, description: string): StackProps => ({
    stackName: `rowcall-${what}-${stage}`,
    description,
    terminationProtection: retain,
  });
  const storage = createStorage(app, settings, stackProps("storage", "Rowcall: data, recordings, registry, topics"));
  const agent = createBroadbandAgent(
    app,
    settings,
    entries,
    storage,
    stackProps("broadband-agent", "Rowcall: the browser agent that looks up broadband availability"),
  );
  const batches = createBatchProcessor(
    app,
    settings,
    entries,
    storage,
    agent,
    stackProps("batch-processor", "Rowcall: runs an agent once for every row of a CSV"),
  );
  createAlarms(storage, agent, batches);
  createDashboard(settings, agent, batches);
  printOutputs(settings, storage, agent, batches);
  Tags.of(app).add("rowcall:stage", stage);
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  return { app, storage, agent, batches };
}
