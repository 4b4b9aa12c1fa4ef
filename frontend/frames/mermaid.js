// A classic script: the frame it runs in has no origin, and modules would be fetched as foreign.
import mermaid from "mermaid";

globalThis.mermaid = mermaid;
