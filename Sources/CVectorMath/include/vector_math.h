// vector math
