import { visitChannels, channels } from "./visit-channels.ts";

const visits = [
  await visitChannels("unprotected"),
  await visitChannels("default"),
  await visitChannels("upstream proxy"),
];
for (const { id, reach } of channels)
  console.log(
    id.padEnd(32),
    reach.padEnd(8),
    ...visits.map((v) => `${v.leaked.has(id) ? "leaked" : "-"}/${v.reached.has(id) ? "ok" : "-"}`.padEnd(12)),
  );
console.log(
  visits.map((v) => [v.leaked.size, v.reached.size, v.forbiddenConnections, v.passedBy, v.askedOfUpstream.length]),
);
