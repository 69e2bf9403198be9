// What pages do more where there is a script. Every page works without it.
import "./keys.js";
