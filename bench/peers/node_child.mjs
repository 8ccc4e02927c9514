// What node.mjs forks.
import process from "node:process";

let count = 0;

const works = {
  echo: (message) => process.send(message),
  count: (message) => {
    if (message.stop) process.send(count);
    count++;
  },
  idle: () => {},
  answer: (message, socket) => {
    socket.end("ok");
  },
};

process.on("message", works[process.argv[2]]);
process.send("ready");
