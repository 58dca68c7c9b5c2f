import { writeFileSync } from "node:fs";

// Loaded before the measured script; tells on exit what the process took.
process.on("exit", () => {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  const report = { cpuSeconds: (userCPUTime + systemCPUTime) / 1e6, peakMb: maxRSS / 1024 };
  writeFileSync(process.env["MEASUREMENT_FILE"] ?? "measurement.json", JSON.stringify(report));
});
