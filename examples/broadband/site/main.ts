import { parseArgs } from "node:util";
import { startSite } from "./server.ts";

const { values } = parseArgs({ options: { port: { type: "string", default: "0" } } });
const site = await startSite({ port: Number(values.port) });
console.log(`Replica of the broadband checker: ${site.url}/public/#/ADSL/AddressHome`);
console.log(`Home page, login and controls:    ${site.url}/  (user tester, password replica)`);
console.log("Ctrl-C ends it.");
process.once("SIGINT", () => void site.close());
process.once("SIGTERM", () => void site.close());
