import { startChecker } from "./checker.js";
import { totlResult } from "./totl-result.js";

startChecker({ face: "totl", showResult: totlResult });
