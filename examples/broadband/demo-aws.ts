// The original product's seven steps on this machine: a sandbox of AWS services, and in it the steps themselves.
import process from "node:process";
import { fileURLToPath } from "node:url";
import { main } from "../../src/cli/main.ts";

const steps = fileURLToPath(new URL("aws-steps.ts", import.meta.url));
process.exitCode = await main(["sandbox", "--exec", `"${process.execPath}" "${steps}"`, ...process.argv.slice(2)]);
