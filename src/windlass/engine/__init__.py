"""What drives the work: workflows that decide, activities that do, one worker that wires them."""
