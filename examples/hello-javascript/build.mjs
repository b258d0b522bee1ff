import { componentize } from "@bytecodealliance/componentize-js";
import { writeFile } from "node:fs/promises";

const [sourcePath, witPath, output] = process.argv.slice(2);
const disableFeatures = ["http", "fetch-event"];
const options = { sourcePath, witPath, worldName: "app", disableFeatures };
const { component } = await componentize(options);
await writeFile(output, component);
