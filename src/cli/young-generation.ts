import { getHeapSpaceStatistics, setFlagsFromString } from "node:v8";

const enoughBytes = 16 * 1024 * 1024;
const checkMs = 50;

/**
 * Keeps V8 from growing its young generation beyond what streaming rows need. V8 doubles it up to 100 MB while rows pass
 * through, though hardly anything survives: held at 16 MB, a million rows take half the memory and a tenth less processor time
 * (`node bench/way-of-a-row.ts`). For the process that runs the command line, not for one that Rowcall is a guest of.
 */
export function holdYoungGeneration(): void {
  const timer = setInterval(() => {
    const space = getHeapSpaceStatistics().find(({ space_name }) => space_name === "new_space");
    if (space === undefined || space.space_size < enoughBytes) return;
    // Read by V8 at each growth, so it may be set while the process runs.
    setFlagsFromString("--semi-space-growth-factor=1");
    clearInterval(timer);
  }, checkMs);
  timer.unref();
}
