import { writeFileSync } from "node:fs";
import { registerHooks } from "node:module";
import process from "node:process";

// Loaded with `--import`: writes the address of every module that was resolved to the file that RECORD_MODULES names.
const addresses = new Set<string>();

registerHooks({
  resolve(specifier, context, nextResolve) {
    const resolved = nextResolve(specifier, context);
    addresses.add(resolved.url);
    return resolved;
  },
});

process.on("exit", () => {
  const file = process.env["RECORD_MODULES"];
  if (file !== undefined) writeFileSync(file, JSON.stringify([...addresses]));
});
