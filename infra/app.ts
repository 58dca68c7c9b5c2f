import { ownEntries } from "./entries.ts";
import { createRowcallApp } from "./rowcall-app.ts";

createRowcallApp(ownEntries).app.synth();
