#!/usr/bin/env node
// Plain JavaScript that an old Node can read too, so that it can say what is wrong.
import { existsSync } from "node:fs";
import process from "node:process";

if (Number.parseInt(process.versions.node, 10) < 24) {
  process.stderr.write(
    `Rowcall needs Node 24 or newer; this is ${process.version}.\n` +
      "hint: Install it from https://nodejs.org, or run: npx -p node@24 -p rowcall rowcall --help\n",
  );
  process.exitCode = 2;
} else {
  // A checkout runs its sources, so nothing is ever stale. The published package has dist/ only:
  // Node strips no types inside node_modules.
  const source = new URL("../src/cli/main.ts", import.meta.url);
  const { main } = await import(existsSync(source) ? source.href : "../dist/cli/main.js");
  process.exitCode = await main(process.argv.slice(2));
}
