import Type from "typebox";
import { Value } from "typebox/value";
import { typeboxLeaves, typeboxComposites, typeboxWholes } from "./typebox.mjs";

export const name = "typebox";
export const emit = (s) => JSON.parse(JSON.stringify(s));
export const takes = (s, value) => Value.Check(s, value);
export const leaves = typeboxLeaves(Type);
export const composites = typeboxComposites(Type);
export const wholes = typeboxWholes(Type);
