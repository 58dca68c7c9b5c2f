import { existsSync, readFileSync } from "node:fs";
import type { Random } from "./random.ts";
import { hasEnded, Scene, waitFor, type Life, type SceneOptions, type Started } from "./scene.ts";
import type { TableFaults } from "./table.ts";

/** What came of the kills of one scene. */
export interface SceneResult extends TableFaults {
  readonly lives: readonly (Life & { readonly concurrency: number })[];
  readonly rows: number;
  /** What else went wrong, in words. */
  readonly faults: readonly string[];
}

/** A kind of moment that a process is killed at. Plays one scene with at most so many kills. */
export type Kind = (kills: number, random: Random) => Promise<SceneResult>;

interface Play {
  readonly scene: Scene;
  readonly random: Random;
  /** Kills that are left to this scene. */
  readonly kills: number;
  kill(
    start: () => readonly Started[] | Promise<readonly Started[]>,
    moment: () => boolean,
    isRerun?: boolean,
  ): Promise<void>;
  fault(text: string): void;
}

const run = ["run", "batch.json", "--name", "chaos", "--quiet"] as const;
const resume = ["resume", "last", "--quiet"] as const;
const rerun = ["rerun", "last", "--failed", "--quiet"] as const;

/** Makes a kind: opens a scene, plays it, takes the run to its end, and looks at everything from outside. */
function kind(options: (random: Random) => SceneOptions, play: (play: Play) => Promise<void>): Kind {
  return async (kills, random) => {
    const scene = await Scene.open(options(random));
    const lives: (Life & { readonly concurrency: number })[] = [];
    const faults: string[] = [];
    const fault = (text: string): void => void faults.push(text.trim().split("\n").slice(0, 3).join(" | "));
    try {
      await play({
        scene,
        random,
        kills,
        fault,
        kill: async (start, moment, isRerun) => {
          const life = await scene.live(start, moment, isRerun);
          lives.push({ ...life, concurrency: scene.concurrency });
          scene.assertStaged();
        },
      });
      const decided = scene.decided();
      const calls = scene.calls().length;
      // A run that never began is begun; one that was noted as ended has nothing to go on with.
      const status = scene.status();
      if (status === undefined || status === "running" || status === "interrupted") {
        const { code, stderr } = await scene.finish(...(status === undefined ? run : resume));
        if (code !== 0 && code !== 3)
          fault(`the last ${status === undefined ? "run" : "resume"} ended with ${code}: ${stderr}`);
      }
      const again = scene
        .calls()
        .slice(calls)
        .filter((n) => decided.has(n)).length;
      lives.push({ killed: false, again, surplus: 0, concurrency: scene.concurrency });
      scene.assertStaged();
      return { lives, faults, rows: scene.rows, ...scene.compare() };
    } finally {
      await scene.close();
    }
  };
}

// Of most calls in the agent's log.
const lineBytes = 4;
// 10 MB: to copy and to write them takes long enough to be met in the middle.
const muchToCopy: SceneOptions = { rows: 1000, width: 10_000, concurrency: 50, callMs: 0 };

/** Rows that are called for some milliseconds each, or for so long that the whole table takes a second or two. */
function someRows(rows: number, random: Random, isLong = random.pick([true, false])): SceneOptions {
  const concurrency = random.pick([4, 10, 50]);
  return { rows, concurrency, callMs: isLong ? Math.ceil((3000 * concurrency) / rows) : 8 };
}

/** In the middle of the copy of the input. */
const staging = kind(
  () => muchToCopy,
  async ({ scene, random, kills, kill }) => {
    const half = Math.floor(readFileSync(scene.at("in.csv")).length / 2);
    for (let n = 0; n < kills; n += 1) {
      const before = scene.stagedCopies().length;
      const enough = random.between(1, half);
      await kill(
        () => [scene.start(...run)],
        () => scene.stagedCopies().length > before && scene.stagedSize() >= enough,
      );
      if (scene.status() !== undefined) return;
    }
  },
);

/** At some call of what is left, the first ones among them. */
const calls = kind(
  (random) => someRows(400, random),
  async ({ scene, random, kills, kill }) => {
    for (let n = 0; n < kills; n += 1) {
      const left = scene.rows - scene.decidedCount();
      const bytes = scene.callBytes() + lineBytes * random.between(1, Math.ceil((2 * left) / (kills - n + 2)));
      await kill(
        () => [scene.start(...(scene.status() === undefined ? run : resume))],
        () => scene.callBytes() >= bytes,
      );
      if (scene.status() === "succeeded") return;
    }
  },
);

/** Right after a commit of answers. */
const commits = kind(
  (random) => someRows(400, random, true),
  async ({ scene, random, kills, kill }) => {
    for (let n = 0; n < kills; n += 1) {
      const before = scene.decidedCount();
      const enough = before + random.between(1, Math.ceil((scene.rows - before) / (kills - n + 2)));
      await kill(
        () => [scene.start(...(scene.status() === undefined ? run : resume))],
        () => scene.decidedCount() >= enough,
      );
      if (scene.status() === "succeeded") return;
    }
  },
);

/** While the table is written, all rows being decided. */
const writing = kind(
  () => muchToCopy,
  async ({ scene, random, kills, kill }) => {
    const least = readFileSync(scene.at("in.csv")).length;
    for (let n = 0; n < kills; n += 1) {
      await scene.clearTemporary();
      const enough = random.pick([0, random.between(0, least)]);
      await kill(
        () => [scene.start(...(scene.status() === undefined ? run : resume))],
        () => (scene.writtenSize() ?? -1) >= enough,
      );
      if (scene.status() === "succeeded") return;
    }
  },
);

/** When the table has appeared, before or after that is noted. */
const closing = kind(
  (random) => someRows(30, random),
  async ({ scene, kill }) => {
    await kill(
      () => [scene.start(...run)],
      () => existsSync(scene.at("out", "table.csv")),
    );
  },
);

/** While failed rows are attempted again, and in the resumes that follow. */
const reruns = kind(
  (random) => someRows(300, random),
  async ({ scene, random, kills, kill, fault }) => {
    const first = await scene.finish(...run);
    if (first.code !== 3) return fault(`the run ended with ${first.code}: ${first.stderr}`);
    await scene.repair();
    for (let n = 0; n < kills; n += 1) {
      const bytes = scene.callBytes() + lineBytes * random.between(1, Math.ceil(100 / (kills + 2)));
      await kill(
        () => [scene.start(...(n === 0 ? rerun : resume))],
        () => scene.callBytes() >= bytes,
        n === 0,
      );
      if (scene.status() === "succeeded") return;
    }
  },
);

/** While the table of a run that has ended is exported. */
const exports = kind(
  () => muchToCopy,
  async ({ scene, random, kills, kill, fault }) => {
    const first = await scene.finish(...run);
    if (first.code !== 3) return fault(`the run ended with ${first.code}: ${first.stderr}`);
    const least = readFileSync(scene.at("in.csv")).length;
    const to = ["export", "last", "--output", scene.at("out", "again.csv"), "--force"];
    for (let n = 0; n < kills; n += 1) {
      await scene.clearTemporary();
      const enough = random.pick([0, random.between(0, least)]);
      await kill(
        () => [scene.start(...to)],
        () => (scene.writtenSize() ?? -1) >= enough,
      );
      if (existsSync(scene.at("out", "again.csv"))) assertWhole(scene, fault);
    }
    const last = await scene.finish(...to);
    if (last.code !== 0) fault(`the last export ended with ${last.code}: ${last.stderr}`);
    assertWhole(scene, fault);
  },
);

function assertWhole(scene: Scene, fault: (text: string) => void): void {
  const { lost, doubled, disordered } = scene.compare("again.csv");
  if (lost + doubled + disordered > 0)
    fault(`the export has ${lost} rows lost, ${doubled} doubled, ${disordered} disordered`);
}

/** A server whose runs were started, and are resumed, through its API. */
const serve = kind(
  (random) => someRows(400, random),
  async ({ scene, random, kills, kill, fault }) => {
    for (let n = 0; n < kills; n += 1) {
      const left = scene.rows - scene.decidedCount();
      const bytes = scene.callBytes() + lineBytes * random.between(1, Math.ceil((2 * left) / (kills - n + 2)));
      await kill(
        async () => [await startServed(scene, fault)],
        () => scene.callBytes() >= bytes,
      );
      if (scene.status() === "succeeded") return;
    }
  },
);

async function startServed(scene: Scene, fault: (text: string) => void): Promise<Started> {
  const status = scene.status();
  const server = scene.start("serve", "--port", "0", "--json");
  await waitFor(() => server.output.stdout.includes("\n") || hasEnded(server.child), "the server's address");
  const { url, token } = JSON.parse(server.output.stdout) as { readonly url: string; readonly token: string };
  const [path, body] =
    status === undefined ? ["runs", { batch: scene.batch, name: "chaos" }] : ["runs/chaos/resume", undefined];
  const response = await fetch(new URL(`api/v1/${path}`, url), {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  if (!response.ok) fault(`${path}: ${response.status} ${await response.text()}`);
  return server;
}

/** Two processes that go on with one run at the same time. */
const twoResumes = kind(
  (random) => someRows(400, random),
  async ({ scene, random, kills, kill }) => {
    for (let n = 0; n < kills; n += 1) {
      const left = scene.rows - scene.decidedCount();
      const bytes = scene.callBytes() + lineBytes * random.between(1, Math.ceil((2 * left) / (kills - n + 2)));
      const command = scene.status() === undefined ? run : resume;
      await kill(
        () => [scene.start(...command), scene.start(...command)],
        () => scene.callBytes() >= bytes,
      );
      if (scene.status() === "succeeded") return;
    }
  },
);

/** The kinds of moments by name, as `--only` takes them. */
export const kinds: Readonly<Record<string, Kind>> = {
  staging,
  calls,
  commits,
  writing,
  closing,
  rerun: reruns,
  export: exports,
  serve,
  "two-resumes": twoResumes,
};
