// Opens a page that tries every way of reaching a host, as browsers are connected and as Rowcall's are, and prints what got through.
import process from "node:process";
import Table from "cli-table3";
import { channels, visitChannels, type Visit } from "./visit-channels.ts";

const unprotected = await visitChannels("unprotected");
const protectedWays = [
  ["default", await visitChannels("default")],
  ["upstream proxy", await visitChannels("upstream proxy")],
] as const;

const verdict = ({ leaked, reached }: Visit, id: string): string =>
  `${leaked.has(id) ? "LEAKED" : "blocked"}${reached.has(id) ? ", allowed host reached" : ""}`;
const table = new Table({
  head: ["channel", "a browser by itself", ...protectedWays.map(([way]) => way)],
  style: { head: [], border: [] },
});
for (const { id } of channels)
  table.push([
    id,
    unprotected.leaked.has(id) ? "gets out" : "is not done",
    ...protectedWays.map(([, visit]) => verdict(visit, id)),
  ]);
console.log(table.toString());
console.log(`A browser by itself: ${unprotected.leaked.size} of ${channels.length} channels get out`);
let leaks = 0;
for (const [way, visit] of protectedWays) {
  const { leaked, reached, forbiddenConnections, passedBy } = visit;
  console.log(
    `${way}: ${leaked.size} of ${channels.length} channels leaked, ${reached.size} reach the allowed host; ` +
      `${forbiddenConnections} connections at the forbidden one; past the proxy: ${passedBy.join(", ") || "nothing"}`,
  );
  leaks += leaked.size + forbiddenConnections + passedBy.length;
}
process.exitCode = leaks === 0 ? 0 : 1;
