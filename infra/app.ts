import process from "node:process";
import { RowcallError } from "../src/core/errors.ts";
import { ownEntries } from "./entries.ts";
import { createRowcallApp } from "./rowcall-app.ts";

try {
  createRowcallApp(ownEntries).app.synth();
} catch (error) {
  if (!(error instanceof RowcallError)) throw error;
  process.stderr.write(`${error.code}: ${error.message}\n${error.hint ?? ""}\n`);
  process.exitCode = 1;
}
