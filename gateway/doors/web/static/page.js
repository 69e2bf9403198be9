// What pages do more where there is a script. Every page works without it.
import "./bar.js";
import "./keys.js";
import "./live.js";
import "./compose.js";
import "./install.js";
