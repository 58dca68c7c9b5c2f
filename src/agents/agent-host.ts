import type { AwsSettings } from "../aws/aws.ts";
import type { AgentDefinition, AgentEnvironment, Invoker } from "../core/agent.ts";

/** The machine that agents are opened on; the wiring knows it, engines do not. */
export interface AgentHost {
  /** A secret by name, from the environment. */
  secret(name: string): string | undefined;
  /** Settings for reaching AWS. */
  readonly aws: AwsSettings;
  /** Explicit path of a Chromium executable. */
  readonly chromiumPath?: string;
  /** True when a browser must have its sandbox. @default false */
  readonly requireSandbox?: boolean;
}

/** Opens an agent of one kind, or of any, on a machine. */
export type OpenHosted = (definition: AgentDefinition, environment: HostedEnvironment) => Promise<Invoker>;

/** All that an agent is opened with: what the run says, and the machine. */
export interface HostedEnvironment extends AgentEnvironment, AgentHost {
  /** Folder that relative paths in an agent's config start from. */
  readonly baseDirectory: string;
}
