// Stands for TypeScript's compiler, npm's Arborist and the automation API, which Pulumi's SDK loads and this program never calls.
