import { readFile, writeFile } from "node:fs/promises";
import { templateJsonSchema } from "../src/agents/browser/template/template.ts";
import { agentJsonSchema } from "../src/core/agent.ts";
import { batchJsonSchema } from "../src/core/batch-file.ts";
import type { JsonObject } from "../src/core/json.ts";
import { openApiOfCode } from "./openapi.ts";
import { operationsPage } from "./operations-page.ts";

const root = new URL("../", import.meta.url);

const made: Readonly<Record<string, () => JsonObject | Promise<JsonObject | string>>> = {
  "schemas/batch.schema.json": batchJsonSchema,
  "schemas/agent.schema.json": agentJsonSchema,
  "schemas/template.schema.json": templateJsonSchema,
  "schemas/openapi.json": openApiOfCode,
  "docs/operations.md": async () => operationsPage(await openApiOfCode()),
};

/** The files made from the code, published JSON Schemas and a page, that differ from what it says, with the text they should have. */
export async function staleSchemas(): Promise<ReadonlyMap<string, string>> {
  const stale = new Map<string, string>();
  for (const [path, make] of Object.entries(made)) {
    const content = await make();
    const text = typeof content === "string" ? content : `${JSON.stringify(content, null, 2)}\n`;
    const written = await readFile(new URL(path, root), "utf8").catch(() => undefined);
    if (written !== text) stale.set(path, text);
  }
  return stale;
}

if (import.meta.main) {
  for (const [path, text] of await staleSchemas()) {
    await writeFile(new URL(path, root), text);
    console.log(path);
  }
}
