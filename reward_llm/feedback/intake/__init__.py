"""Events in: checked, told apart from those that came before, and handed on."""
