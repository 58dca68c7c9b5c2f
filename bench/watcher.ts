// One watcher of all runs, as a browser's tab is: says how many events it got when its input ends.
import { createRowcallClient } from "../src/server/client.ts";

const client = createRowcallClient({ url: process.argv[2] ?? "" });
const leaving = new AbortController();
let events = 0;
process.stdin.on("end", () => leaving.abort()).resume();
for await (const _event of client.events({ signal: leaving.signal })) {
  events += 1;
  if (events === 1) console.log("watching");
}
console.log(events);
process.exit(0);
