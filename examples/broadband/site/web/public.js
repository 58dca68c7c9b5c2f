import { startChecker } from "./checker.js";
import { publicResult } from "./public-result.js";

startChecker({ face: "public", showResult: publicResult });
