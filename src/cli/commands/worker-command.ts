import { hostname } from "node:os";
import process from "node:process";
import type { Command } from "commander";
import type { AwsSettings } from "../../aws/aws.ts";
import type { ActivityAddress } from "../../engines/worker/activity-tasks.ts";
import type { Cli } from "../cli.ts";
import { hearInterrupts } from "../io.ts";
import { declareEffects, excludes } from "../option-use.ts";
import { allowModuleOption, examples, listOf, positiveNumber, wholeNumber } from "../options.ts";
import { openWorkerLog } from "../print/worker-log.ts";

interface WorkerCommandOptions {
  readonly activityArn: readonly string[];
  readonly concurrency: number;
  readonly name?: string;
  readonly maxTasks?: number;
  readonly idleExit?: number;
  readonly json?: true;
  readonly quiet?: true;
  readonly allowModule: readonly string[];
}

/** `rowcall worker`: makes attempts for runs that leave their rows to workers. */
export function defineCommand(command: Command, cli: Cli): void {
  command
    .requiredOption("--activity-arn <arn>", "activity to work for; may be repeated", listOf)
    .option("--concurrency <number>", "attempts in flight at once, for each activity", wholeNumber(1), 4)
    .option("--name <name>", "what runs call this worker (default: host name and process id)")
    .option("--max-tasks <number>", "end after this many attempts, for each activity", wholeNumber(1))
    .option("--idle-exit <seconds>", "end after this long without work", positiveNumber)
    .addOption(allowModuleOption())
    .option("--json", "print what happens as JSON Lines on standard output, in place of the lines on standard error")
    .option("-q, --quiet", "print only warnings and errors");
  examples(command, [
    "rowcall worker --activity-arn arn:aws:states:eu-west-1:123456789012:activity:lookup",
    "rowcall worker --activity-arn ARN --endpoint-url http://run-host:8083 --concurrency 2",
    "rowcall worker --activity-arn ARN --allow-module ./lookup.ts",
    "rowcall worker --activity-arn ARN --idle-exit 300 --json",
  ]);
  declareEffects(command, { "--quiet": [excludes("--json", "every event is printed")] });
  command.action((options: WorkerCommandOptions) => work(cli, options));
}

async function work(cli: Cli, options: WorkerCommandOptions): Promise<void> {
  const { io } = cli;
  const { concurrency, maxTasks, idleExit, name = `${hostname()}-${process.pid}` } = options;
  const [{ services, host }, { openActivityTasks, parseActivityArn }, { runWorker }] = await Promise.all([
    cli.wire({ allowedModules: options.allowModule }),
    import("../../engines/worker/activity-tasks.ts"),
    import("../../engines/worker/worker.ts"),
  ]);
  const addresses = options.activityArn.map(parseActivityArn);
  const drain = new AbortController();
  using _interrupts = hearInterrupts(io, (signal) => {
    cli.setExitCode(signal === "SIGINT" ? 130 : 0);
    drain.abort();
  });
  const workFor = async (address: ActivityAddress): Promise<void> => {
    try {
      const tasks = await openActivityTasks(host.aws, address, name);
      try {
        await runWorker({
          tasks,
          services,
          name,
          concurrency,
          sharesFiles: isThisMachine(host.aws),
          maxTasks,
          idleExitMs: idleExit && idleExit * 1000,
          drain: drain.signal,
          onEvent: openWorkerLog(io, options, name, address.name),
        });
      } finally {
        await tasks.close();
      }
    } catch (error) {
      // What one worker cannot do is told at the end; the others finish what they have.
      drain.abort();
      throw error;
    }
  };
  const ended = await Promise.allSettled(addresses.map(workFor));
  const broken = ended.find((result) => result.status === "rejected");
  if (broken !== undefined) throw broken.reason;
}

// Then the run is on this machine too, and sees its files.
function isThisMachine({ endpoints }: AwsSettings): boolean {
  const host = endpoints.SFN === undefined ? undefined : URL.parse(endpoints.SFN)?.hostname;
  return host !== undefined && /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(host);
}
