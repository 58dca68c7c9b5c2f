import { readFileSync, writeFileSync } from "node:fs";

// Loaded before the measured script; tells on exit what the process took.
process.on("exit", () => {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  const report = { cpuSeconds: (userCPUTime + systemCPUTime) / 1e6, peakMb: (ownPeakKb() ?? maxRSS) / 1024 };
  writeFileSync(process.env["MEASUREMENT_FILE"] ?? "measurement.json", JSON.stringify(report));
});

// `maxRSS` begins with that of the process that started this one.
function ownPeakKb(): number | undefined {
  if (process.platform !== "linux") return undefined;
  return Number(/VmHWM:\s*(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))?.[1]);
}
