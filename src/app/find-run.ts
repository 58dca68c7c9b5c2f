import type { Engine, FailureSummary, RunReader } from "../core/engine.ts";
import { RowcallError } from "../core/errors.ts";
import type { Run } from "../core/run.ts";

const mostAlike = 20;
const namesShown = 200;

/**
 * Finds the run that a user means.
 *
 * @param text - an id, a name, `last`, or the beginning of exactly one id
 * @throws RowcallError RUN_NOT_FOUND; USAGE_INVALID when several ids begin like that
 */
export async function findRun(engine: Pick<Engine, "describe" | "list">, text: string): Promise<Run> {
  const exact = text === "" || text === "last" ? undefined : await lookUpRun(engine, text);
  if (exact !== undefined) return exact;
  if (text === "last") {
    const [newest] = await engine.list({ limit: 1 });
    if (newest !== undefined) return newest;
  }
  const like = text === "" ? [] : await engine.list({ idPrefix: text, limit: mostAlike + 1 });
  const [found, ...others] = like;
  if (found === undefined) throw await notFound(text, await engine.list({ limit: namesShown }));
  if (others.length === 0) return found;
  const many = like.length > mostAlike ? `More than ${mostAlike}` : like.length;
  throw new RowcallError("USAGE_INVALID", `${many} runs begin with "${text}"`, {
    hint: `Write more of the id: ${like
      .slice(0, 5)
      .map(({ id }) => id)
      .join(", ")}.`,
  });
}

/** The run of an id or a name, if there is one. */
export async function lookUpRun(engine: Pick<Engine, "describe">, idOrName: string): Promise<Run | undefined> {
  try {
    return await engine.describe(idOrName);
  } catch (error) {
    if (error instanceof RowcallError && error.code === "RUN_NOT_FOUND") return undefined;
    throw error;
  }
}

async function notFound(text: string, runs: readonly Run[]): Promise<RowcallError> {
  if (runs.length === 0) {
    return new RowcallError("RUN_NOT_FOUND", `There is no run "${text}": no run is remembered here`, {
      hint: "Runs are remembered in .rowcall of the folder they were started in; name another one with --data-dir.",
    });
  }
  const { nearest } = await import("../core/schema.ts");
  const near = nearest(
    text,
    runs.flatMap(({ id, name }) => (name === undefined ? [id] : [id, name])),
  );
  return new RowcallError("RUN_NOT_FOUND", `There is no run "${text}"`, {
    hint: near === undefined ? "`rowcall runs` lists them." : `Did you mean "${near}"? \`rowcall runs\` lists all.`,
  });
}

/** The failed rows of a run by code, most frequent first. */
export async function failuresOf(engine: RunReader, run: Run): Promise<readonly FailureSummary[]> {
  return run.counts.failed === 0 ? [] : engine.failures(run.id);
}
