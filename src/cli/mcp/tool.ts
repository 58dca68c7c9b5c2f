import type { ToolAnnotations } from "@modelcontextprotocol/sdk/types.js";
import type { z } from "zod";
import type { Answer } from "./answer.ts";
import type { Session } from "./session.ts";

/** What a tool knows of the call besides its arguments. */
export interface Call {
  /** Aborted when the client gives the call up or goes away. */
  readonly signal: AbortSignal;
}

/** One thing that an assistant can do. */
export interface Tool {
  readonly name: string;
  readonly title: string;
  /** For a model that has never heard of Rowcall. */
  readonly description: string;
  readonly input: z.ZodObject;
  readonly annotations: ToolAnnotations;
  /** @param args - as `input` reads them */
  run(session: Session, args: unknown, call: Call): Promise<Answer>;
}

/** A tool whose `run` takes what its own `input` reads. */
export function defineTool<T extends z.ZodObject>(
  tool: Omit<Tool, "input" | "run"> & {
    readonly input: T;
    run(session: Session, args: z.output<T>, call: Call): Promise<Answer>;
  },
): Tool {
  return { ...tool, run: (session, args, call) => tool.run(session, args as z.output<T>, call) };
}
