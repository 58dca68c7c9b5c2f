import { isDistributed, type Machine, type Sequence, type State } from "./definition.ts";

/** A sequence of states and where it stands. */
export interface Level {
  readonly sequence: Sequence;
  /** The state that it belongs to; undefined for the machine's own. */
  readonly owner: string | undefined;
  /** Whether it runs as EXPRESS child. */
  readonly express: boolean;
  /** Levels whose variables can be read here, the next one first. */
  readonly around: readonly Level[];
}

/** All sequences of a machine, its own first. */
export function levels(machine: Machine): readonly Level[] {
  const found: Level[] = [];
  const add = (level: Level): void => {
    found.push(level);
    for (const [owner, state] of Object.entries(level.sequence.States)) {
      const apart = state.Type === "Map" && isDistributed(state);
      const express = apart ? state.ItemProcessor.ProcessorConfig?.ExecutionType === "EXPRESS" : level.express;
      const around = apart ? [] : [level, ...level.around];
      for (const sequence of inside(state)) add({ sequence, owner, express, around });
    }
  };
  add({ sequence: machine, owner: undefined, express: false, around: [] });
  return found;
}

function inside(state: State): readonly Sequence[] {
  if (state.Type === "Map") return [state.ItemProcessor];
  return state.Type === "Parallel" ? state.Branches : [];
}
