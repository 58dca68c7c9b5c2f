import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { Template } from "aws-cdk-lib/assertions";
import type { JsonObject } from "../../src/core/json.ts";
import type { Entries } from "../entries.ts";
import { createRowcallApp, type RowcallApp } from "../rowcall-app.ts";

/** A deployment, synthesised. */
export interface Synthesis extends RowcallApp {
  readonly templates: {
    readonly storage: Template;
    readonly agent: Template;
    readonly batches: Template;
  };
  /** Folder of the cloud assembly. */
  readonly folder: string;
}

const { context: flags } = JSON.parse(readFileSync(new URL("../cdk.json", import.meta.url), "utf8")) as {
  readonly context: JsonObject;
};

const done = new Map<string, Synthesis>();

/**
 * Synthesises the app, once for each context in the whole process. What functions do makes no difference to a template, so they are
 * small ones here.
 */
export function synthesise(context: Readonly<Record<string, string>> = {}): Synthesis {
  const key = JSON.stringify(context);
  const synthesis = done.get(key) ?? synthesiseAnew(context);
  done.set(key, synthesis);
  return synthesis;
}

function synthesiseAnew(context: Readonly<Record<string, string>>): Synthesis {
  const folder = scratchFolder();
  const created = createRowcallApp(smallEntries(folder), {
    outdir: join(folder, "out"),
    context: { ...flags, ...context },
  });
  created.app.synth();
  return {
    ...created,
    folder: join(folder, "out"),
    templates: {
      storage: Template.fromStack(created.storage.stack),
      agent: Template.fromStack(created.agent.stack),
      batches: Template.fromStack(created.batches.stack),
    },
  };
}

function scratchFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "rowcall-infra-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function smallEntries(folder: string): Entries {
  const entry = (name: string): string => {
    const path = join(folder, `${name}.ts`);
    writeFileSync(path, `export const handler = async (event: unknown): Promise<unknown> => ({ ${name}: event });\n`);
    return path;
  };
  return {
    prepare: entry("prepare"),
    finish: entry("finish"),
    resolveAgent: entry("resolveAgent"),
    browserAgent: entry("browserAgent"),
  };
}
