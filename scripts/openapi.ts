import { readFile } from "node:fs/promises";
import { listOperations } from "../src/server/api/list-operations.ts";
import { openApiDocument } from "../src/server/api/openapi.ts";
import type { JsonObject } from "../src/core/json.ts";
import type { ServerContext } from "../src/server/server-setup.ts";

/** The API's document as the code has it. No operation is called, so that nothing needs to stand behind them. */
export async function openApiOfCode(): Promise<JsonObject> {
  const { version } = JSON.parse(await readFile(new URL("../package.json", import.meta.url), "utf8")) as {
    version: string;
  };
  const context = { registry: {}, workbench: {}, watch: {} } as unknown as ServerContext;
  return openApiDocument(listOperations(context), version);
}
