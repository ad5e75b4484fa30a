// A backend of `make bench-faults`: node as it comes. A word on its standard input tells it what to do from then on.
const http = require("http");

let mode = "fine";
const server = http.createServer((request, response) => {
  if (mode === "reset") {
    request.socket.resetAndDestroy();
    return;
  }
  const answer = () => {
    if (!server.listening)
      response.shouldKeepAlive = false;
    response.writeHead(mode === "fail" ? 500 : 200, { "Content-Length": 128 });
    response.end("n".repeat(128));
  };
  request.resume();
  // There is always something under way.
  request.on("end", () => setTimeout(answer, mode === "slow" ? 200 : 10));
});

process.stdin.on("data", (word) => { mode = word.toString().trim(); });
process.on("SIGTERM", () => {
  server.close(() => process.exit(0));
  server.closeIdleConnections();
});
server.listen(Number(process.argv[2]), "127.0.0.1", 1024);
