// All benchmarks, one after the other, on a machine that should have nothing else to do.
for (const name of [
  "way-of-a-row",
  "makespan",
  "workers",
  "telemetry",
  "watching",
  "pages",
  "prepare-finish",
  "browser-flow",
  "large-answers",
]) {
  console.log(`\n${name}\n`);
  await import(`./${name}.ts`);
}
