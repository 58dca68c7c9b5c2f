import process from "node:process";
import { fileURLToPath } from "node:url";
import { createRowcall } from "../../src/index.ts";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const [output = "out/"] = process.argv.slice(2);

const rowcall = await createRowcall({ registries: [here("../function-agent/registry")] });
try {
  const batch = await rowcall.readBatch(here("../function-agent/batch.json"), { output });
  const { events, ended } = await rowcall.start({ batch });
  for await (const event of events) {
    if (event.type === "warning") console.error(event.message);
  }
  const { outputUri, counts } = await ended;
  console.log(`${outputUri}: ${counts.succeeded} of ${counts.total} rows succeeded`);
} finally {
  await rowcall.close();
}
