import { createReadStream, createWriteStream } from "node:fs";
import { Transform, type TransformCallback } from "node:stream";
import { pipeline } from "node:stream/promises";
import { parse } from "csv-parse";
import { stringify } from "csv-stringify";

// What a person writes by hand for the same job: streaming, in order, one row after the other. It keeps nothing when it is
// killed, cannot resume, does not retry and writes its cells in its own way rather than the input's.
type Lookup = (row: object) => Promise<{ structured_output: object }>;

const [input = "", output = "", module = ""] = process.argv.slice(2);
const { default: lookUp } = (await import(module)) as { default: Lookup };

const enrich = new Transform({
  objectMode: true,
  transform(row: object, _encoding: string, done: TransformCallback) {
    const startedAt = Date.now();
    lookUp(row).then(({ structured_output }) => {
      const endedAt = Date.now();
      const metadata = {
        _status: "SUCCESS",
        _timestamp: new Date(endedAt).toISOString(),
        _execution_time_ms: endedAt - startedAt,
      };
      done(null, { ...row, ...structured_output, ...metadata });
    }, done);
  },
});

await pipeline(
  createReadStream(input),
  parse({ columns: true }),
  enrich,
  stringify({ header: true }),
  createWriteStream(output),
);
