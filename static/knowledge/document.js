// The page of a document: its reader, and a question before it is deleted.
import "../js/away.js";
import "../js/sure.js";
import "./reader.js";
