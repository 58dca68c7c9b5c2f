import { isDistributed, type Machine, type Sequence, type State } from "./definition.ts";

/** A sequence of states and where it stands. */
export interface Level {
  readonly sequence: Sequence;
  /** `""` for the machine, `Rows/` for what belongs to the state Rows. */
  readonly at: string;
  /** Whether JSONata is the language unless a state says otherwise. */
  readonly jsonata: boolean;
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
    for (const [name, state] of Object.entries(level.sequence.States)) {
      const inner = { at: `${level.at}${name}/`, jsonata: level.jsonata || state.QueryLanguage === "JSONata" };
      for (const sequence of inside(state)) {
        const own = state.Type === "Map" && isDistributed(state);
        const express = own ? state.ItemProcessor.ProcessorConfig?.ExecutionType === "EXPRESS" : level.express;
        add({ ...inner, sequence, express, around: own ? [] : [level, ...level.around] });
      }
    }
  };
  add({ sequence: machine, at: "", jsonata: machine.QueryLanguage === "JSONata", express: false, around: [] });
  return found;
}

function inside(state: State): readonly Sequence[] {
  if (state.Type === "Map") return [state.ItemProcessor];
  return state.Type === "Parallel" ? state.Branches : [];
}
