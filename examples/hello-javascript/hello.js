// A command: says hello, and what the engine makes of some data.
export const run = {
  run() {
    const words = "the quick brown fox jumps over the lazy dog the end".split(" ");
    const counts = new Map();
    for (const word of words) {
      counts.set(word, (counts.get(word) ?? 0) + 1);
    }
    console.log("hello from JavaScript");
    console.log(JSON.stringify(Object.fromEntries([...counts].filter(([, n]) => n > 1))));
    console.log(Array.from({ length: 1000 }, (_, i) => i * i).reduce((a, b) => a + b));
  },
};
