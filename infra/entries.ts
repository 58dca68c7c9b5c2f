import { join } from "node:path";
import { root } from "./bundle.ts";

/** Paths of the modules that the functions are made of; each exports `handler`. */
export interface Entries {
  readonly prepare: string;
  readonly finish: string;
  readonly resolveAgent: string;
  readonly browserAgent: string;
}

/** The functions of this repository. */
export const ownEntries: Entries = {
  prepare: join(root, "src/lambda/prepare.ts"),
  finish: join(root, "src/lambda/finish.ts"),
  resolveAgent: join(root, "src/lambda/resolve-agent.ts"),
  browserAgent: join(root, "src/lambda/browser-agent.ts"),
};
