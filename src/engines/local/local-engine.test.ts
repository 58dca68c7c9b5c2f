import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Notification } from "../../core/channel.ts";
import { openStores } from "../../stores/open-store.ts";
import { describeEngine } from "../../../test/contracts/engine-contract.ts";
import { createTestServices } from "../../../test/fakes/services.ts";
import { openLocalEngine } from "./local-engine.ts";

describeEngine("local", async (invoke) => {
  const directory = await mkdtemp(join(tmpdir(), "rowcall-engine-"));
  const told: Notification[] = [];
  const services = createTestServices({ store: openStores({ baseDirectory: directory }), invoke, told });
  const open = (): ReturnType<typeof openLocalEngine> =>
    openLocalEngine({ services, dataDirectory: join(directory, "data") });
  const engines = [open()];
  return {
    engine: engines[0] as ReturnType<typeof open>,
    reopen: () => {
      const engine = open();
      engines.push(engine);
      return engine;
    },
    told,
    writeInput: async (text) => {
      await writeFile(join(directory, "in.csv"), text);
      return join(directory, "in.csv");
    },
    read: (uri) => readFile(uri.startsWith("file:") ? fileURLToPath(uri) : uri, "utf8"),
    outputPrefix: `${join(directory, "out")}/`,
    close: async () => {
      await Promise.all(engines.map((engine) => engine.close()));
      await rm(directory, { recursive: true });
    },
  };
});
